/** A shell script that runs on a host, as text. */
declare module "*.sh" {
  const text: string;
  export default text;
}
