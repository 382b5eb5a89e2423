import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { setBackend, setThreads } from '@firelight/tensor';
import { readSafetensors } from './test/helpers/safetensors.ts';
const rel=(a:any,b:any)=>{let m=0,s=0;for(let i=0;i<b.length;i++){m=Math.max(m,Math.abs(a[i]-b[i]));s+=b[i]*b[i]}return m/Math.sqrt(s/b.length+1e-30)};
for(const [b,o] of [['wasm',{winograd:false}],['wasm',{winograd:true}],['wasm',{winograd:true}],['wasm',{winograd:false,relaxedSimd:false}],['reference',{}]] as any[]){ await setBackend(b,o);
const { tensors, metadata } = readSafetensors('../shared/golden/squeezenet-5-steps.safetensors') as any;
const network = new SqueezeNet({ numClasses: 10, dropout: 0 });
network.loadStateDict(Object.fromEntries(Object.entries(tensors).filter(([n])=>n.startsWith('param.')).map(([n,v])=>[n.slice(6),v])) as any);
const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
const optimizer = new Momentum(network.parameters(), { learningRate: Number(metadata.learning_rate), momentum: Number(metadata.momentum), weightDecay: Number(metadata.weight_decay)});
const out:string[]=[];
for(let s=0;s<5;s++){const logits=network.forward(tensors.input);const loss=lossFn.forward(logits,tensors.labels);out.push((loss.item()-tensors.losses.data[s]).toExponential(1));optimizer.zeroGrad();loss.backward();
 if(s===0){out.push('logits '+rel(logits.data,tensors.logits.data).toExponential(1));let w=0,wn='';for(const [n,p] of network.namedParameters()){const e=rel(p.grad!.data,tensors['grad.'+n].data);if(e>w){w=e;wn=n}}out.push('grad '+w.toExponential(2)+' '+wn)}
 optimizer.step();}
console.log(b,JSON.stringify(o),out.join(' '));}
console.log('--- per parameter, no fma');
{ await setBackend('wasm',{winograd:false,relaxedSimd:false});
const { tensors } = readSafetensors('../shared/golden/squeezenet-5-steps.safetensors') as any;
const network = new SqueezeNet({ numClasses: 10, dropout: 0 });
network.loadStateDict(Object.fromEntries(Object.entries(tensors).filter(([n])=>n.startsWith('param.')).map(([n,v])=>[n.slice(6),v])) as any);
const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
for(let k=0;k<2;k++){for(const p of network.parameters())p.grad=null; lossFn.forward(network.forward(tensors.input),tensors.labels).backward();
console.log(tensors.input.shape, network.namedParameters().map(([n,p])=>n+':'+rel(p.grad!.data,tensors['grad.'+n].data).toExponential(1)).join(' '));}}
