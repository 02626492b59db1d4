/** How labels of jobs and workers are called. */
export const LABEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
export const LABEL_RULE = '1 to 63 letters, digits, `.`, `_`, `/`, `-`, beginning with a letter or digit';
