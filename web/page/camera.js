/** A camera: started, stopped, lost; and its frames. */

import { numbers } from "../reading/settings.js";
import { Trouble } from "./words.js";

const SIZE = { width: { ideal: 640 }, height: { ideal: 480 } }; // as large as the finder looks at
const LONGEST = numbers.looks.STILL; // larger frames would be looked at in windows, which takes too long
const TROUBLES = {
  NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "no camera", OverconstrainedError: "no camera",
  NotReadableError: "busy", AbortError: "busy",
};

export class Camera {
  /**
   * @param video element that plays the camera; it must be in the page and not hidden, or its frames stay black.
   * @param lost called when the camera ends by itself.
   */
  constructor(video, lost) {
    Object.assign(this, { video, lost, stream: null });
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  get running() {
    return this.stream !== null;
  }

  /** Promise that frames come. @param choice "environment", "user", the id of a device, or "" for any. */
  async start(choice) {
    this.stop();
    if (!window.isSecureContext) throw new Trouble("insecure");
    if (!navigator.mediaDevices?.getUserMedia) throw new Trouble("no api");
    const which = ["environment", "user"].includes(choice) ? { facingMode: { ideal: choice } } : choice ? { deviceId: { exact: choice } } : {};
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { ...SIZE, ...which }, audio: false });
    } catch (error) {
      throw new Trouble(TROUBLES[error.name] ?? "camera failed", { reason: error.message || error.name });
    }
    this.stream.getVideoTracks()[0].addEventListener("ended", () => this.running && (this.stop(), this.lost()));
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {}); // stopped again meanwhile
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  /** Promise the cameras there are: { id, label }. Labels are empty until one was allowed. */
  async list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const cameras = devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
    return cameras.map(({ deviceId, label }) => ({ id: deviceId, label }));
  }

  /** Promise the next frame as ImageData, or null once the camera has stopped. */
  async frame() {
    await this.nextPicture();
    const { videoWidth, videoHeight } = this.video;
    if (!this.running || !videoWidth) return null;
    const scale = Math.min(1, LONGEST / Math.max(videoWidth, videoHeight));
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)];
    if (this.canvas.width !== width || this.canvas.height !== height) [this.canvas.width, this.canvas.height] = [width, height];
    this.context.drawImage(this.video, 0, 0, width, height);
    return this.context.getImageData(0, 0, width, height);
  }

  /** Promise that a new picture has come, or that a second went by without one. */
  nextPicture() {
    return new Promise((resolve) => {
      setTimeout(resolve, 1000);
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(() => resolve());
      else requestAnimationFrame(() => resolve());
    });
  }
}
