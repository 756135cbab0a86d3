/** Something went otherwise than it must; the message is for the person in front of the screen. */
export class Surprise extends Error {
  override name = "Surprise";
}
