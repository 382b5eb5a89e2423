import { execFileSync, spawnSync } from 'node:child_process';
// interleave ours and torch
for(let i=0;i<3;i++){
 console.log(spawnSync('node',['--conditions=development','--import','tsx','scratch-step.ts'],{encoding:'utf8'}).stdout.split('\n').filter(l=>/step|infer/.test(l)).join('\n'));
 console.log(spawnSync('/usr/bin/python3',['/tmp/torch_step.py'],{encoding:'utf8'}).stdout.split('\n').slice(4).join('\n'));
}
