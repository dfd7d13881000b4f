"""What the window says, in each language, and which language that is."""

import locale
import os

from digits.reading.live.frames import Silence
from digits.reading.readings import Hint

# Every Spanish word here is spelt right without an accent: OpenCV 4's letters have none.
WORDS = {
    "en": {
        "tile": "What the network sees",
        "show": "Hold up a digit",
        Hint.TOO_DARK: "Too dark: turn on a light",
        Hint.TOO_SMALL: "Too small: come closer",
        Hint.BLURRED: "Blurred: hold it still",
        Hint.CUT_OFF: "Cut off by the edge: move to the middle",
        Hint.NO_CONTRAST: "Too faint: use a darker pen",
        Hint.NOT_DIGITS: "No digit: write 0 to 9",
        Hint.BUSY: "Busy background: hold it before a wall",
        Hint.UNCLEAR: "Hard to read: write large and plain",
        Hint.TURNED: "Looks turned: try --orient auto",
        Hint.MIRRORED: "Looks mirrored: try --orient auto",
        Silence.STARTING: "Starting the camera",
        Silence.LOST: "Camera lost, trying again",
        "unverified": "not verified",
        "keys": ("0-9 teach  Tab next  c capture", "F full screen  q quit"),
        "picture keys": ("0-9 teach  Tab next  c capture", "Space next  Left back  q quit"),
        "capture keys": ("Space keep  s skip  0-9 choose", "c end capture  q quit"),
        "kept": "Kept as {label} ({count})",
        "undone": "Taken back: {label}",
        "nothing": "There is nothing to name or to undo",
        "failed": "Could not be kept: see the terminal",
        "write": "Write the digit {label} and hold it still",
        "several": "Show one digit alone, or press Space",
        "doubtful": "Looks like a {read}: Space keeps it as {label}",
        "renewed": "New model: {name}",
        "not renewed": "New model is no good: see the terminal",
    },
    "es": {
        "tile": "Lo que ve la red",
        "show": "Muestra una cifra",
        Hint.TOO_DARK: "Hay poca luz: busca un lugar claro",
        Hint.TOO_SMALL: "Se ve muy lejos: acerca el papel",
        Hint.BLURRED: "Se ve borroso: no te muevas",
        Hint.CUT_OFF: "Cortado por el borde: ponlo en el centro",
        Hint.NO_CONTRAST: "Poco contraste: usa una tinta oscura",
        Hint.NOT_DIGITS: "No veo cifras: escribe del 0 al 9",
        Hint.BUSY: "Fondo con mucho detalle: busca uno liso",
        Hint.UNCLEAR: "Se lee mal: escribe grande y claro",
        Hint.TURNED: "Parece girado: prueba --orient auto",
        Hint.MIRRORED: "Parece un espejo: prueba --orient auto",
        Silence.STARTING: "Preparando la imagen",
        Silence.LOST: "No llega imagen, reintentando",
        "unverified": "sin verificar",
        "keys": ("0-9 corregir  Tab otra  c captar", "F pantalla completa  q salir"),
        "picture keys": ("0-9 corregir  Tab otra  c captar", "Espacio otra  Izq. anterior  q salir"),
        "capture keys": ("Espacio guardar  s saltar  0-9", "c terminar  q salir"),
        "kept": "Guardado como {label} ({count})",
        "undone": "Deshecho: {label}",
        "nothing": "No hay nada que nombrar o deshacer",
        "failed": "No se pudo guardar: mira la consola",
        "write": "Escribe un {label} y no te muevas",
        "several": "Muestra una sola cifra, o pulsa Espacio",
        "doubtful": "Parece un {read}: Espacio lo guarda como {label}",
        "renewed": "Modelo nuevo: {name}",
        "not renewed": "El modelo nuevo no vale: mira la consola",
    },
}


def default_language() -> str:
    """Return "es" where the person's system speaks Spanish, else "en"."""
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    told = next((name for name in names if name), locale.getlocale()[0] or "")
    return "es" if told.lower().startswith(("es_", "es-", "es.", "spanish")) or told.lower() == "es" else "en"
