/**
 * The texts of a picture, drawn on a canvas with the fonts of the page. An SVG that is loaded as an image sees none of these, and one that
 * brings its own may be painted before it has read them.
 */

/** @param scale pixels of the canvas for one of the picture */
export function drawTexts(context: CanvasRenderingContext2D, picture: SVGSVGElement, scale: number): void {
  const holder = document.createElement('div');
  // Laid out, so that letters have places, and never seen.
  holder.style.cssText = 'position:fixed;left:-99999px;top:0;visibility:hidden';
  const laid = picture.cloneNode(true) as SVGSVGElement;
  holder.append(laid);
  document.body.append(holder);
  try {
    const { width, height } = picture.viewBox.baseVal;
    laid.setAttribute('width', String(width));
    laid.setAttribute('height', String(height));
    const whole = laid.getScreenCTM()!.inverse();
    for (const text of laid.querySelectorAll('text'))
      for (const piece of piecesOf(text)) drawPiece(context, piece, whole.multiply(text.getScreenCTM()!), scale);
  } finally {
    holder.remove();
  }
}

/** Each run of letters in an element of its own, which knows where it begins. */
function piecesOf(text: SVGTextElement): SVGTSpanElement[] {
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  const runs: Text[] = [];
  while (walker.nextNode()) runs.push(walker.currentNode as Text);
  return runs.map((run) => {
    const piece = document.createElementNS(text.namespaceURI, 'tspan') as SVGTSpanElement;
    run.replaceWith(piece);
    piece.append(run);
    return piece;
  });
}

function drawPiece(context: CanvasRenderingContext2D, piece: SVGTSpanElement, { a, b, c, d, e, f }: DOMMatrix, scale: number): void {
  const letters = piece.getNumberOfChars();
  if (letters === 0) return;
  const styles = getComputedStyle(piece);
  const { x, y } = piece.getStartPositionOfChar(0);
  context.save();
  context.setTransform(scale * a, scale * b, scale * c, scale * d, scale * e, scale * f);
  context.font = `${styles.fontStyle} ${styles.fontWeight} ${styles.fontSize} ${styles.fontFamily}`;
  const shown = visible(piece.textContent ?? '', letters);
  if (styles.stroke !== 'none') {
    context.strokeStyle = styles.stroke;
    context.lineWidth = parseFloat(styles.strokeWidth);
    context.lineJoin = 'round';
    context.strokeText(shown, x, y);
  }
  context.fillStyle = styles.fill;
  context.fillText(shown, x, y);
  context.restore();
}

/** White space as SVG has it: runs of it are one space, and none where a text begins or ends. */
function visible(text: string, letters: number): string {
  const collapsed = text.replace(/[ \t\n]+/g, ' ');
  const begun = collapsed.length > letters ? collapsed.trimStart() : collapsed;
  return begun.length > letters ? begun.trimEnd() : begun;
}
