import { convolution } from './packages/tensor/src/backend/wasm/kernels/conv2d/conv2d.ts';
import { convolution as ref } from './packages/tensor/src/backend/reference/conv2d.ts';
import { NdArray } from './packages/tensor/src/core/ndarray.ts';
let seed=1; const rnd=()=>{seed=(Math.imul(seed,1664525)+1013904223)>>>0; return seed/2**32-0.5};
const mk=(...s:number[])=>NdArray.fromTypedArray(Float32Array.from({length:s.reduce((a,b)=>a*b,1)},rnd),s,'float32');
const rel=(a:any,b:any)=>{let m=0,s=0;for(let i=0;i<b.length;i++){m=Math.max(m,Math.abs(a[i]-b[i]));s+=b[i]*b[i]}return (m/Math.sqrt(s/b.length+1e-30)).toExponential(1)};
for(const [N,C,H,W,O,k,s,p] of [[9,17,54,50,35,3,1,1],[16,32,27,27,40,3,1,1],[3,3,113,97,20,7,2,0],[5,300,9,9,600,1,1,0],[2,64,13,13,256,3,1,1],[2,40,57,57,24,3,2,1]] as any[]){
 const oh=Math.floor((H+2*p-k)/s)+1,ow=Math.floor((W+2*p-k)/s)+1;const w={kernelHeight:k,kernelWidth:k,strideHeight:s,strideWidth:s,dilationHeight:1,dilationWidth:1,padding:{top:p,bottom:p,left:p,right:p},outHeight:oh,outWidth:ow,groups:1};
 const x=mk(N,C,H,W),br=[{weight:mk(O,C,k,k),bias:mk(O),window:w},{weight:mk(7,C,k,k),bias:mk(7),window:w}],go=mk(N,O+7,oh,ow);
 const y=ref.conv2d(x,br,'relu');const need={x:true,branches:[{weight:true,bias:true},{weight:true,bias:true}]};
 const a=convolution.conv2dGrad(x,y,go,br,need),b=ref.conv2dGrad(x,y,go,br,need);
 console.log(rel(convolution.conv2d(x,br,'relu').data,y.data),rel(a.x!.data,b.x!.data),a.weights.map((v,i)=>rel(v!.data,b.weights[i]!.data)).join(' '),a.biases.map((v,i)=>rel(v!.data,b.biases[i]!.data)).join(' '));
}
