import { Momentum, SoftmaxCrossEntropyWithLogits, SqueezeNet } from '@firelight/nn';
import { Generator, randn, tensor, tidy, noGrad, describeBackend, setThreads, memory } from '@firelight/tensor';
const g=new Generator(1);
const net=new SqueezeNet({numClasses:10,generator:g});
const lossFn=new SoftmaxCrossEntropyWithLogits({sparse:true,reduction:'mean'});
const opt=new Momentum(net.parameters(),{learningRate:0.01,momentum:0.9,weightDecay:1e-4});
const labels=(N:number)=>tensor(Int32Array.from({length:N},(_,i)=>i%10));
console.log(describeBackend().summary); console.log(Object.entries(describeBackend().kernels).filter(([,v])=>v.backend!=='wasm').map(([k])=>k).join(' '));
const bench=(label:string,n:number,f:()=>any)=>{const ts:number[]=[];for(let i=0;i<n;i++){const t=performance.now();f();ts.push(performance.now()-t)}const first=ts[0];ts.sort((a,b)=>a-b);console.log(label.padEnd(30),'first',first.toFixed(0),'median',ts[n>>1].toFixed(1),'min',ts[0].toFixed(1),'rss',(process.memoryUsage().rss/2**20).toFixed(0))};
for(const [N,S,n] of [[32,64,15],[32,224,5]] as const){const x=randn([N,3,S,S],{generator:g}),y=labels(N);
 bench(`step b${N} ${S}`,n,()=>tidy(()=>{const loss=lossFn.forward(net.forward(x),y);opt.zeroGrad();loss.backward();opt.step();return loss.item()}));}
net.eval();
for(const [N,S,n] of [[1,224,30],[32,224,5]] as const){const x=randn([N,3,S,S],{generator:g});bench(`infer b${N} ${S}`,n,()=>tidy(()=>noGrad(()=>net.forward(x).data)));}
