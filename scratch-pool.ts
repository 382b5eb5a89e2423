import { maxPool2d, randn, tidy, noGrad, setThreads } from '@firelight/tensor';
setThreads(1);
for (const [s,k] of [[[64,64,32,32],3],[[8,96,109,109],3],[[64,64,32,32],2]] as any){ const x=randn(s); let best=1e9;
for(let i=0;i<30;i++) tidy(()=>noGrad(()=>{const t=performance.now(); maxPool2d(x,{kernelSize:k,stride:2}); best=Math.min(best,performance.now()-t);}));
const out=s[0]*s[1]*Math.floor((s[2]-k)/2+1)**2; console.log(s,k,best.toFixed(2),'ms',(best*1e6/(out/4)).toFixed(1),'ns/quad',(x.size*4/best/1e6).toFixed(1),'GB/s'); }
