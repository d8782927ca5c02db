/** The looks at the adapters of one foundation, as the session keeps them. */
export type AdaptersView = 'paired' | 'parameters' | 'angles' | 'frontier' | 'path';
