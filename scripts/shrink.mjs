// What `wasm-opt -Oz` does, without a process for each of hundreds of chunks.

import binaryen from 'binaryen';

// What every browser with `light-dark()` and the rest of our CSS understands; Rust 1.95 emits most of it anyway.
const { BulkMemory, BulkMemoryOpt, NontrappingFPToInt, ReferenceTypes, SignExt, MutableGlobals, Multivalue } = binaryen.Features;

binaryen.setOptimizeLevel(2);
binaryen.setShrinkLevel(2);
binaryen.setDebugInfo(false);

/** Leaves out what functions are called, which nobody reads, and binaryen warns of. */
function withoutNames(wasm) {
  const kept = [wasm.subarray(0, 8)];
  for (let at = 8; at < wasm.length; ) {
    // A section: its kind, the size of the rest in LEB128, and for kind 0 a name (its length, its letters) first.
    let [body, size] = [at + 1, 0];
    for (let shift = 0, more = true; more; shift += 7) {
      size += (wasm[body] & 0x7f) * 2 ** shift;
      more = wasm[body++] >= 0x80;
    }
    const isNames = wasm[at] === 0 && wasm.subarray(body, body + 5).toString('latin1') === '\x04name';
    if (!isNames) kept.push(wasm.subarray(at, body + size));
    at = body + size;
  }
  return Buffer.concat(kept);
}

/** Returns the same program in fewer bytes. */
export function shrink(wasm) {
  const module = binaryen.readBinary(withoutNames(wasm));
  module.setFeatures(BulkMemory | BulkMemoryOpt | NontrappingFPToInt | ReferenceTypes | SignExt | MutableGlobals | Multivalue);
  module.optimize();
  const small = module.emitBinary();
  module.dispose();
  return small;
}
