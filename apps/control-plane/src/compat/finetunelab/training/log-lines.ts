/**
 * One element of another system's list of lines is one line of a log here, whatever it holds. A log's lines end with `\n`; so one
 * inside an element is stored as U+2028, the line separator, and U+2028 itself behind a U+2060, as is U+2060. Reading takes
 * that back, to the character; people see the separator where there was a line end.
 */
const SEPARATOR = '\u2028';
const ESCAPE = '\u2060';

export function toLine(element: string): string {
  return `${element.replaceAll(/[\n\u2028\u2060]/g, (character) => (character === '\n' ? SEPARATOR : ESCAPE + character))}\n`;
}

/** @param text any number of whole lines, the last one's end included */
export function toElements(text: string): string[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.map((line) => line.replaceAll(/\u2060([\u2028\u2060])|\u2028/g, (_found, escaped: string | undefined) => escaped ?? '\n'));
}
