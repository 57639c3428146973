import { predict } from './predict.ts';

/** ONNX models on tabular data. */
export const functions = [predict];
