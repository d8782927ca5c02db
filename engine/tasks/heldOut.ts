/** How many training images are held out of training, so that whatever is chosen is not chosen by test images. Which ones: imageTables.ts. */
const MOST = 5_000;
/** One in twelve: 5 000 of MNIST's 60 000. */
const SHARE = 12;

/** @param count training images there are */
export const heldOutOf = (count: number): number => Math.min(MOST, Math.max(1, Math.floor(count / SHARE)));
