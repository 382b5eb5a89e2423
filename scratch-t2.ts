import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { Generator, randn, tensor, tidy } from '@firelight/tensor';
const g=new Generator(1);const net=new SqueezeNet({numClasses:10,generator:g});
const lossFn=new SoftmaxCrossEntropyWithLogits({sparse:true,reduction:'mean'});
const opt=new Momentum(net.parameters(),{learningRate:0.01,momentum:0.9,weightDecay:1e-4});
const x=randn([32,3,64,64],{generator:g}),y=tensor(Int32Array.from({length:32},(_,i)=>i%10));
const ts:number[]=[];
for(let i=0;i<60;i++){const t=performance.now();tidy(()=>{const loss=lossFn.forward(net.forward(x),y);opt.zeroGrad();loss.backward();opt.step();return loss.item()});ts.push(performance.now()-t);}
ts.sort((a,b)=>a-b);console.log('median',ts[30].toFixed(1),'min',ts[0].toFixed(1));
