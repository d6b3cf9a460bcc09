// Reads codes in pictures where the browser cannot: ZXing as WebAssembly, from our own server.
import { prepareZXingModule, readBarcodes, type ReaderOptions } from "zxing-wasm/reader";
import wasm from "zxing-wasm/reader/zxing_reader.wasm";

const OPTIONS: ReaderOptions = {
  formats: ["DataMatrix", "QRCode", "EAN13", "EAN8", "Code128"],
  textMode: "Plain",
  tryHarder: true,
  maxNumberOfSymbols: 2,
};
const LONGEST_SIDE = 1280;

/** The reader, in the shape of the browser's own detector. Codes begin with their symbology identifier. */
export async function detector(): Promise<{ detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]> }> {
  const address = new URL(wasm, import.meta.url).href;
  await prepareZXingModule({ overrides: { locateFile: () => address }, fireImmediately: true });
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return {
    async detect(source) {
      const scale = Math.min(1, LONGEST_SIDE / Math.max(source.videoWidth, source.videoHeight));
      canvas.width = Math.round(source.videoWidth * scale);
      canvas.height = Math.round(source.videoHeight * scale);
      if (!context || !canvas.width || !canvas.height) return [];
      context.drawImage(source, 0, 0, canvas.width, canvas.height);
      const found = await readBarcodes(context.getImageData(0, 0, canvas.width, canvas.height), OPTIONS);
      return found.filter((each) => each.isValid).map((each) => ({ rawValue: each.symbologyIdentifier + each.text }));
    },
  };
}
