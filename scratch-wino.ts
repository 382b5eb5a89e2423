import { convolution } from './packages/tensor/src/backend/wasm/kernels/conv2d/conv2d.ts';
import { convolution as ref } from './packages/tensor/src/backend/reference/conv2d.ts';
import { NdArray } from './packages/tensor/src/core/ndarray.ts';
import { runtime } from './packages/tensor/src/backend/wasm/runtime.ts';
import { settings } from './packages/tensor/src/backend/wasm/settings.ts';
import { chooseTile, winograd } from './packages/tensor/src/backend/wasm/kernels/winograd/winograd.ts';
import { withMemoryScope } from './packages/tensor/src/core/memory.ts';
const r = runtime();
let seed=1; const rnd=()=>{seed=(Math.imul(seed,1664525)+1013904223)>>>0; return seed/2**32-0.5};
const mk=(...s:number[])=>NdArray.fromTypedArray(Float32Array.from({length:s.reduce((a,b)=>a*b,1)},rnd),s,'float32');
const rel=(a:any,b:any)=>{let m=0,s=0;for(let i=0;i<b.length;i++){m=Math.max(m,Math.abs(a[i]-b[i]));s+=b[i]*b[i]}return m/Math.sqrt(s/b.length+1e-30)};
const win=(H:number,W:number,p:number[])=>({kernelHeight:3,kernelWidth:3,strideHeight:1,strideWidth:1,dilationHeight:1,dilationWidth:1,padding:{top:p[0],bottom:p[1],left:p[2],right:p[3]},outHeight:H+p[0]+p[1]-2,outWidth:W+p[2]+p[3]-2,groups:1});
for(const [N,C,H,W,O,p] of [[1,16,8,8,16,[0,0,0,0]],[3,20,9,7,18,[1,1,1,1]],[2,33,13,13,70,[1,1,1,1]],[2,16,5,6,32,[2,1,0,2]],[2,64,27,27,65,[1,1,1,1]],[4,64,2,2,64,[1,1,1,1]],[2,300,9,9,64,[1,1,1,1]]] as any[]){
 const w=win(H,W,p); const x=mk(N,C,H,W), wt=mk(O,C,3,3), bias=mk(O), go=mk(N,O,w.outHeight,w.outWidth); const br=[{weight:wt,bias,window:w}];
 const out={address:0,count:N,channels:O,height:w.outHeight,width:w.outWidth,stride:0};
 console.log(chooseTile(w,{k:C,rows:O,output:out}), rel(convolution.conv2d(x,br,'relu').data,ref.conv2d(x,br,'relu').data).toExponential(1),
  rel(convolution.conv2dInputGrad(go,br,x.shape).data,ref.conv2dInputGrad(go,br,x.shape).data).toExponential(1), rel(convolution.conv2dWeightGrad(x,go,wt.shape,w,0).data,ref.conv2dWeightGrad(x,go,wt.shape,w,0).data).toExponential(1));
}
// two 3x3 branches: accumulate
{const w=win(13,13,[1,1,1,1]);const x=mk(2,32,13,13);const b=[{weight:mk(40,32,3,3),bias:mk(40),window:w},{weight:mk(24,32,3,3),bias:null,window:w}];const go=mk(2,64,13,13);
console.log('two', rel(convolution.conv2d(x,b,'none').data,ref.conv2d(x,b,'none').data), rel(convolution.conv2dInputGrad(go,b,x.shape).data,ref.conv2dInputGrad(go,b,x.shape).data));}
const bench=(label:string,flop:number,f:()=>any)=>{const ts:number[]=[];for(let i=0;i<9;i++){const t=performance.now();withMemoryScope(()=>{f();},()=>[]);ts.push(performance.now()-t)}ts.sort((a,b)=>a-b);console.log(label.padEnd(30),(flop/ts[4]/1e6).toFixed(1),'GFLOP/s best',(flop/ts[0]/1e6).toFixed(1),'ms',ts[4].toFixed(2))};
for(const th of [1,2]){ r.setThreads(th); await new Promise(r=>setTimeout(r,200));
 for(const [O,C,H] of [[64,16,54],[128,32,54],[128,32,27],[192,48,27],[256,64,27],[256,64,13],[64,64,16]]){
  const N=8; const w=win(H,H,[1,1,1,1]);
  const x=mk(N,C,H,H), wt=mk(O,C,3,3), bias=mk(O), go=mk(N,O,H,H); const br=[{weight:wt,bias,window:w}]; const fl=2*N*O*C*9*H*H;
  for(let i=0;i<4;i++) withMemoryScope(()=>{convolution.conv2d(x,br,'relu');convolution.conv2dInputGrad(go,br,x.shape)},()=>[]);
  for(const on of [false,true]){ settings.winograd=on;
  bench(`T${th} ${O}<-${C}@${H} ${on?'wino':'direct'} fwd`,fl,()=>convolution.conv2d(x,br,'relu'));
  bench(`  dW`,fl,()=>convolution.conv2dWeightGrad(x,go,wt.shape,w,0));bench(`  dX`,fl,()=>convolution.conv2dInputGrad(go,br,x.shape));}
 }}
