import { convolution } from './packages/tensor/src/backend/wasm/kernels/conv2d/conv2d.ts';
import { convolution as ref } from './packages/tensor/src/backend/reference/conv2d.ts';
import { NdArray } from './packages/tensor/src/core/ndarray.ts';
import { runtime } from './packages/tensor/src/backend/wasm/runtime.ts';
const t0=performance.now(); const r = runtime(); console.log('start', (performance.now()-t0).toFixed(1), 'fma', r.features.fma, 'threads', r.threads);
let seed=1; const rnd=()=>{seed=(Math.imul(seed,1664525)+1013904223)>>>0; return seed/2**32-0.5};
const mk=(...s:number[])=>NdArray.fromTypedArray(Float32Array.from({length:s.reduce((a,b)=>a*b,1)},rnd),s,'float32');
const rel=(a:any,b:any)=>{let m=0,s=0;for(let i=0;i<b.length;i++){m=Math.max(m,Math.abs(a[i]-b[i]));s+=b[i]*b[i]}return m/Math.sqrt(s/b.length+1e-30)};
const cases=[
 [2,3,9,10, 5,3,3, 1,1, 1,1, [0,0,0,0],1],
 [3,4,9,10, 6,3,3, 2,1, 1,1, [1,1,1,1],2],
 [1,3,23,23, 7,7,7, 2,2, 1,1, [0,0,0,0],1],
 [9,16,5,5, 8,1,1, 1,1, 1,1, [0,0,0,0],1],
 [2,4,11,8, 4,3,2, 3,2, 2,1, [2,1,0,3],4],
 [2,70,20,20, 130,3,3, 1,1, 1,1, [1,1,1,1],1],
 [2,6,9,9, 5,1,1, 2,3, 1,1, [0,0,0,0],1],
] as any[];
for(const [N,C,H,W,O,kh,kw,sh,sw,dh,dw,[t,b,l,rr],g] of cases){
 const oh=Math.floor((H+t+b-dh*(kh-1)-1)/sh)+1, ow=Math.floor((W+l+rr-dw*(kw-1)-1)/sw)+1;
 const w={kernelHeight:kh,kernelWidth:kw,strideHeight:sh,strideWidth:sw,dilationHeight:dh,dilationWidth:dw,padding:{top:t,bottom:b,left:l,right:rr},outHeight:oh,outWidth:ow,groups:g};
 const x=mk(N,C,H,W), wt=mk(O,C/g,kh,kw), bias=mk(O), go=mk(N,O,oh,ow); const br=[{weight:wt,bias,window:w}];
 console.log(rel(convolution.conv2d(x,br,'relu').data,ref.conv2d(x,br,'relu').data).toExponential(1),
  rel(convolution.conv2dInputGrad(go,br,x.shape).data,ref.conv2dInputGrad(go,br,x.shape).data).toExponential(1),
  rel(convolution.conv2dWeightGrad(x,go,wt.shape,w,0).data,ref.conv2dWeightGrad(x,go,wt.shape,w,0).data).toExponential(1));
}
import { withMemoryScope } from './packages/tensor/src/core/memory.ts';
const bench=(label:string,flop:number,f:()=>any)=>{const ts:number[]=[];for(let i=0;i<9;i++){const t=performance.now();withMemoryScope(()=>{f();},()=>[]);ts.push(performance.now()-t)}ts.sort((a,b)=>a-b);console.log(label.padEnd(30),(flop/ts[4]/1e6).toFixed(1),'GFLOP/s best',(flop/ts[0]/1e6).toFixed(1),'ms',ts[4].toFixed(2))};
for(const th of [1,2]){ r.setThreads(th); await new Promise(r=>setTimeout(r,200));
 for(const [O,C,H,k,s,p] of [[96,3,224,7,2,0],[64,16,54,3,1,1],[128,32,27,3,1,1],[256,64,13,3,1,1],[16,96,54,1,1,0],[64,16,54,1,1,0],[64,512,13,1,1,0]]){
  const N=8,o=Math.floor((H+2*p-k)/s)+1; const w={kernelHeight:k,kernelWidth:k,strideHeight:s,strideWidth:s,dilationHeight:1,dilationWidth:1,padding:{top:p,bottom:p,left:p,right:p},outHeight:o,outWidth:o,groups:1};
  const x=mk(N,C,H,H), wt=mk(O,C,k,k), bias=mk(O), go=mk(N,O,o,o); const br=[{weight:wt,bias,window:w}]; const fl=2*N*O*C*k*k*o*o;
  for(const q of [x,wt,bias,go]) {for(let i=0;i<4;i++) withMemoryScope(()=>{convolution.conv2d(x,br,'relu');convolution.conv2dInputGrad(go,br,x.shape)},()=>[]);}
  bench(`T${th} ${O}<-${C}@${H} k${k} fwd`,fl,()=>convolution.conv2d(x,br,'relu'));
  bench(`  dX`,fl,()=>convolution.conv2dInputGrad(go,br,x.shape));
  bench(`  dW`,fl,()=>convolution.conv2dWeightGrad(x,go,wt.shape,w,0));
 }}
