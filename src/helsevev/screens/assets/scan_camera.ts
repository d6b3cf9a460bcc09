// The camera as a scanner: the browser's own detector where it has one, else ours, fetched then.

interface Detected {
  rawValue: string;
}
interface Detector {
  detect(source: CanvasImageSource): Promise<Detected[]>;
}
interface NativeDetector {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}
interface Reader {
  detector(): Promise<Detector>;
}
type WithTorch = MediaTrackCapabilities & { torch?: boolean };

const FORMATS = ["data_matrix", "qr_code", "ean_13", "ean_8", "code_128"];
const PAUSE_MS = 80;

async function detectorFor(reader: string): Promise<Detector> {
  const native = (globalThis as { BarcodeDetector?: NativeDetector }).BarcodeDetector;
  if (native) {
    const known = await native.getSupportedFormats();
    if (FORMATS.every((format) => known.includes(format))) return new native({ formats: FORMATS });
  }
  const ours = (await import(new URL(reader, location.href).href)) as Reader;
  return ours.detector();
}

/** One camera, open or closed, and its light. */
export class Camera {
  private stream: MediaStream | undefined;
  private lit = false;

  constructor(
    private readonly view: HTMLVideoElement,
    private readonly reader: string,
  ) {}

  /** Opens the camera and calls `read` with each code it sees. Raises what the browser refuses with. */
  async open(read: (code: string) => void): Promise<void> {
    if (!navigator.mediaDevices) throw new DOMException("no camera", "NotFoundError");
    const [stream, detector] = await Promise.all([
      navigator.mediaDevices.getUserMedia({
        video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
        audio: false,
      }),
      detectorFor(this.reader),
    ]);
    this.stream = stream;
    this.view.srcObject = stream;
    await this.view.play();
    void this.look(stream, detector, read);
  }

  close(): void {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = undefined;
    this.view.srcObject = null;
    this.lit = false;
  }

  hasTorch(): boolean {
    const track = this.stream?.getVideoTracks()[0];
    return (track?.getCapabilities?.() as WithTorch | undefined)?.torch === true;
  }

  /** Puts the light on or out; gives whether it is on. */
  async toggleTorch(): Promise<boolean> {
    const track = this.stream?.getVideoTracks()[0];
    this.lit = !this.lit;
    await track?.applyConstraints({ advanced: [{ torch: this.lit } as MediaTrackConstraintSet] });
    return this.lit;
  }

  private async look(stream: MediaStream, detector: Detector, read: (code: string) => void): Promise<void> {
    while (this.stream === stream) {
      if (this.view.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !document.hidden) {
        const seen = await detector.detect(this.view).catch(() => []);
        // Two codes at once: nobody knows which one was meant.
        if (seen.length === 1 && seen[0]?.rawValue && this.stream === stream) read(seen[0].rawValue);
      }
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
    }
  }
}

let sound: AudioContext | undefined;

/** One high note and a short buzz for what is right; two low ones and three buzzes for a stop. */
export function beep(kind: "right" | "stop"): void {
  navigator.vibrate?.(kind === "right" ? 60 : [200, 80, 200, 80, 200]);
  sound ??= new AudioContext();
  const notes = kind === "right" ? [{ at: 0, pitch: 1320 }] : [{ at: 0, pitch: 220 }, { at: 0.25, pitch: 180 }];
  for (const { at, pitch } of notes) {
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    tone.frequency.value = pitch;
    tone.type = kind === "right" ? "sine" : "square";
    volume.gain.value = 0.2;
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + at);
    tone.stop(sound.currentTime + at + (kind === "right" ? 0.08 : 0.2));
  }
}
