export const two: number = 2; // eslint-disable-line eqeqeq
