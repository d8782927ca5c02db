export async function dopamineSide(..._a: unknown[]): Promise<never> { throw new Error('later'); }
