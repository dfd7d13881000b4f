/** What the page says, in each language: the window's own words (reading/live/words.py), and more. */

import { settings } from "../reading/settings.js";

const WORDS = {
  en: {
    camera: "Camera", draw: "Draw", picture: "Picture", ways: "Three ways in", view: "What is read", answer: "The answer",
    theme: "Light or dark", other: "Español",
    start: "Start the camera", stop: "Stop", mirror: "Mirror", "which camera": "Which camera",
    back: "Back camera", front: "Front camera", "any camera": "Camera",
    undo: "Undo", clear: "Clear", choose: "Choose a picture", photo: "Take a photo",
    drop: "or drop one here, or paste it",
    frame: "The picture that is read", "digits found": "Digits found", probabilities: "Probabilities", text: "Text",
    copy: "Copy", copied: "Copied", "copy failed": "The browser does not let the page copy; select the text",
    corrections: "Corrections", "tap to correct": "Tap a digit that is read wrongly.",
    corrected: "Corrected: {count}. Download the zip, then: python train_all.py --teach --custom {file}",
    download: "Download zip", "take back": "Take back", "which digit": "Which digit is it?", cancel: "Cancel",
    "box label": "{digit}, {confidence}, correct it",
    private: "Nothing leaves this computer: the page makes no request.",
    loading: "Loading the networks", "draw here": "Draw a digit here", "no digit": "No digit was found",
    "choose one": "Choose a picture of digits", "camera off": "Start the camera, then hold up a digit",
    fps: "fps", "none read": "No digit", reading: "Reading",
    // What can go wrong: what was found, and what to do.
    insecure: "Browsers give the camera only to https pages and to files on this computer. Use Picture: take a photo there.",
    "no api": "This browser gives pages no camera. Use Draw or Picture.",
    denied: "The camera was not allowed. Allow it beside the address, and start again; Draw and Picture go on.",
    "no camera": "No camera was found. Connect one and start again; Draw and Picture go on.",
    busy: "The camera is in use by another program or tab. Close it there, and start again.",
    "camera failed": "The camera could not be started ({reason}). Try another one; Draw and Picture go on.",
    "camera lost": "The camera was lost. Connect it, and start again.",
    several: "{count} pictures were given; the first one is read.",
    "no picture": "No picture was given: drop, paste or choose an image file.",
    unreadable: "{name} is not a readable picture; expected PNG, JPEG, WebP, BMP or GIF.",
    empty: "{name} is empty, expected a picture.",
    animation: "{name} holds an animation, expected one picture.",
    pixels: "{name} has {width} x {height} pixels, too many to read; make it smaller.",
    heic: "{name} is a HEIC photograph, which this browser cannot show; let the phone take JPEG (iPhone: Settings, Camera, Formats, Most Compatible).",
    failed: "The networks could not be started ({reason}). Load the page again, or try another browser.",
    "not read": "The picture could not be read ({reason}).",
  },
  es: {
    camera: "Cámara", draw: "Dibujar", picture: "Foto", ways: "Tres entradas", view: "Lo que se lee", answer: "La respuesta",
    theme: "Claro u oscuro", other: "English",
    start: "Encender la cámara", stop: "Parar", mirror: "Espejo", "which camera": "Qué cámara",
    back: "Cámara trasera", front: "Cámara delantera", "any camera": "Cámara",
    undo: "Deshacer", clear: "Borrar", choose: "Elegir una imagen", photo: "Hacer una foto",
    drop: "o suéltala aquí, o pégala",
    frame: "La imagen que se lee", "digits found": "Cifras encontradas", probabilities: "Probabilidades", text: "Texto",
    copy: "Copiar", copied: "Copiado", "copy failed": "El navegador no deja copiar a la página; selecciona el texto",
    corrections: "Correcciones", "tap to correct": "Toca una cifra mal leída.",
    corrected: "Corregidas: {count}. Descarga el zip y luego: python train_all.py --teach --custom {file}",
    download: "Descargar zip", "take back": "Quitar", "which digit": "¿Qué cifra es?", cancel: "Cancelar",
    "box label": "{digit}, {confidence}, corregir",
    private: "Nada sale de este ordenador: la página no pide nada a la red.",
    loading: "Cargando las redes", "draw here": "Dibuja una cifra aquí", "no digit": "No se encontró ninguna cifra",
    "choose one": "Elige una imagen con cifras", "camera off": "Enciende la cámara y muestra una cifra",
    fps: "fps", "none read": "Ninguna cifra", reading: "Leyendo",
    insecure: "Los navegadores solo dan la cámara a páginas https y a archivos de este ordenador. Usa Foto: haz una allí.",
    "no api": "Este navegador no da cámara a las páginas. Usa Dibujar o Foto.",
    denied: "La cámara no tiene permiso. Dáselo junto a la dirección y enciéndela otra vez; Dibujar y Foto funcionan.",
    "no camera": "No hay ninguna cámara. Conecta una y enciéndela; Dibujar y Foto funcionan.",
    busy: "Otro programa u otra pestaña usa la cámara. Ciérralo y enciéndela otra vez.",
    "camera failed": "La cámara no se pudo encender ({reason}). Prueba otra; Dibujar y Foto funcionan.",
    "camera lost": "Se perdió la cámara. Conéctala y enciéndela otra vez.",
    several: "Llegaron {count} imágenes; se lee la primera.",
    "no picture": "No llegó ninguna imagen: suelta, pega o elige un archivo de imagen.",
    unreadable: "{name} no es una imagen legible; se esperaba PNG, JPEG, WebP, BMP o GIF.",
    empty: "{name} está vacío; se esperaba una imagen.",
    animation: "{name} es una animación; se esperaba una sola imagen.",
    pixels: "{name} tiene {width} x {height} píxeles, demasiados para leerla; hazla más pequeña.",
    heic: "{name} es una foto HEIC, que este navegador no muestra; haz que el teléfono tome JPEG (iPhone: Ajustes, Cámara, Formatos, Más compatible).",
    failed: "Las redes no se pudieron iniciar ({reason}). Carga la página otra vez o prueba otro navegador.",
    "not read": "La imagen no se pudo leer ({reason}).",
  },
};

export const languages = Object.keys(WORDS);
let language = navigator.language?.startsWith("es") ? "es" : "en";

/** Return words in the language of the page, with values in the places of their names. */
export function say(key, values = {}) {
  const words = WORDS[language][key] ?? settings.words[language][key];
  if (words === undefined) throw new Error(`no words for ${key}`);
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

export function setLanguage(code) {
  language = code;
  document.documentElement.lang = code;
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.dataset.label));
  }
}

export const currentLanguage = () => language;

/** A problem that is told in words of the page; `values` fill them. */
export class Trouble extends Error {
  constructor(key, values = {}) {
    super(say(key, values));
    Object.assign(this, { key, values });
  }
}
