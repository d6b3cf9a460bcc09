// The address of a file that is served as it is.
declare module "*.wasm" {
  const address: string;
  export default address;
}
