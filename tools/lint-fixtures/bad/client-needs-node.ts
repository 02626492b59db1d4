import { request } from 'node:http';

export const send = request;
