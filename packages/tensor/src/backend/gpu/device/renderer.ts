import type { GlContext, GpuMode } from './gpu-js.ts';

/** Names that programs which only imitate a GPU give themselves. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|lavapipe|software|basic render/i;

/** Names that hide the device. */
const HIDDEN = /^(mozilla|webkit webgl)$/i;

/** The name of the device, and whether it is a GPU; null where that cannot be told. */
export interface Renderer {
  readonly renderer: string;
  readonly isHardware: boolean | null;
}

/** What a WebGL context says of its device. */
export function rendererOf(context: GlContext): Renderer {
  const extension = context.getExtension('WEBGL_debug_renderer_info');
  const name = context.getParameter(extension?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER);
  const renderer = String(name);
  if (SOFTWARE.test(renderer)) return { renderer, isHardware: false };
  // Without the extension there is only the name of the browser's engine or of ANGLE.
  return { renderer, isHardware: extension === null || HIDDEN.test(renderer) ? null : true };
}

export function describeRenderer(mode: GpuMode, context: GlContext | null): Renderer {
  if (mode === 'webasm') return { renderer: "gpu.js's WebAssembly", isHardware: false };
  if (mode === 'cpu') return { renderer: "gpu.js's JavaScript", isHardware: false };
  if (context === null) return { renderer: 'unknown', isHardware: null };
  return rendererOf(context);
}

/** What a WebGPU adapter says of itself. */
export interface AdapterInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly device?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

export function rendererOfAdapter(info: AdapterInfo): Renderer {
  const { description, device, vendor, architecture } = info;
  const parts = [description || device, vendor, architecture].filter(Boolean);
  const renderer = parts.join(', ') || 'unnamed adapter';
  if (info.isFallbackAdapter || SOFTWARE.test(renderer)) return { renderer, isHardware: false };
  return { renderer, isHardware: parts.length > 0 ? true : null };
}
