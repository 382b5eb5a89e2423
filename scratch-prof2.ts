import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { Generator, randn, tensor, tidy } from '@firelight/tensor';
import { Runtime } from './packages/tensor/src/backend/wasm/runtime.ts';
const S=Number(process.argv[2]??224);
const acc=new Map<string,[number,number]>();
const orig=Runtime.prototype.run; let on=false;
Runtime.prototype.run=function(task:any,parts:number,v:any){const t=performance.now();orig.call(this,task,parts,v);const d=performance.now()-t;if(!on)return;let k=task.name;if(process.argv[3]){k+=' '+['rows','k','columns','totalColumns','count','tileCount','area','outer','length','inner'].filter(n=>n in v).map(n=>n+v[n]).join(' ')}const e=acc.get(k)??[0,0];e[0]+=d;e[1]++;acc.set(k,e)} as any;
const g=new Generator(1);
const net=new SqueezeNet({numClasses:10,generator:g,version:'1.1',stem:'cifar',batchNorm:true,bypass:'simple',headRelu:false,dropout:0});
const lossFn=new SoftmaxCrossEntropyWithLogits({sparse:true,reduction:'mean'});
const opt=new Momentum(net.parameters(),{learningRate:0.01,momentum:0.9,weightDecay:1e-4});
const x=randn([64,3,32,32],{generator:g}),y=tensor(Int32Array.from({length:64},(_,i)=>i%10));
const step=()=>tidy(()=>{const loss=lossFn.forward(net.forward(x),y);opt.zeroGrad();loss.backward();opt.step();return loss.item()});
for(let i=0;i<3;i++)step(); on=true; const n=S>100?2:8; const t=performance.now(); for(let i=0;i<n;i++)step(); const total=(performance.now()-t)/n; let sum=0;
for(const [k,[ms,c]] of [...acc].sort((a,b)=>b[1][0]-a[1][0]).slice(0,45)){console.log(k.padEnd(60),(ms/n).toFixed(2),'ms',c/n);sum+=ms/n}
console.log('total',total.toFixed(1),'in tasks',sum.toFixed(1));
