/** cv2.connectedComponents: pixels that touch, corners included, get one number. */

/** Return how many numbers there are, 0 for what is none included, and the number of each pixel, int32. */
export function connectedComponents({ width, height, data }) {
  const numbers = new Int32Array(width * height);
  const waiting = [];
  let count = 1;
  for (let start = 0; start < data.length; start++) {
    if (!data[start] || numbers[start]) continue;
    numbers[start] = count;
    waiting.push(start);
    while (waiting.length) {
      const place = waiting.pop();
      const [x, y] = [place % width, (place / width) | 0];
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const near = row * width + column;
          if (data[near] && !numbers[near]) {
            numbers[near] = count;
            waiting.push(near);
          }
        }
      }
    }
    count++;
  }
  return { count, numbers };
}
