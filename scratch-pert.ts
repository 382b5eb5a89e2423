import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { setBackend, tensor } from '@firelight/tensor';
import { readSafetensors } from './test/helpers/safetensors.ts';
await setBackend('wasm',{winograd:false});
const { tensors, metadata } = readSafetensors('../shared/golden/squeezenet-5-steps.safetensors') as any;
let seed=1; const rnd=()=>{seed=(Math.imul(seed,1664525)+1013904223)>>>0; return seed/2**32*2-1};
for(const eps of [0,1e-7,3e-7,1e-6,1e-6,1e-6]){
const network = new SqueezeNet({ numClasses: 10, dropout: 0 });
network.loadStateDict(Object.fromEntries(Object.entries(tensors).filter(([n])=>n.startsWith('param.')).map(([n,v])=>[n.slice(6),v])) as any);
const input=tensor(Float32Array.from(tensors.input.data as any,(v:number)=>v*(1+eps*rnd())),{shape:tensors.input.shape});
const lossFn = new SoftmaxCrossEntropyWithLogits({ sparse: true, reduction: 'mean' });
const optimizer = new Momentum(network.parameters(), { learningRate: Number(metadata.learning_rate), momentum: Number(metadata.momentum), weightDecay: Number(metadata.weight_decay)});
const out:string[]=[];
for(let s=0;s<5;s++){const loss=lossFn.forward(network.forward(input),tensors.labels);out.push((loss.item()-tensors.losses.data[s]).toExponential(1));optimizer.zeroGrad();loss.backward();optimizer.step();}
console.log(eps,out.join(' '));}
