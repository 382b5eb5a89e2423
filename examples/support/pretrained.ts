import { CIFAR10_MEAN, CIFAR10_STD } from '@firelight/data';
import {
  type Checkpoint,
  CheckpointError,
  loadParamIntoNet,
  type Module,
  type SqueezeNet,
  type StateDict,
} from '@firelight/nn';
import { identifyNetwork, loadInto, type Preprocessing } from '@firelight/nn/formats';
import { add, type Tensor, tensor } from '@firelight/tensor';
import { formatShape, printablePath, quoteSome, sameShape } from '@firelight/tensor/extend';
import { networkOfRun } from './open-network.ts';
import { openWeights } from './open-weights.ts';

/** The convolution that looks at the picture, and the one that tells the classes. */
const STEM = 'features.0';
const HEAD = 'final_conv';

/** What was learned before: the network with its weights, and how it takes pictures. */
interface Learned {
  readonly network: Module;
  /** Null where it takes them as the training does. */
  readonly preprocessing: Preprocessing | null;
  /** Options that it has where it comes from. */
  readonly options: Readonly<Record<string, string>>;
  readonly title: string;
}

/**
 * Lets a network begin with what another has learned: it takes all weights of the same names. The head
 * stays new if it is for other classes, and so does what the other one does not have. Its first
 * convolution is turned so that it takes pictures as the training makes them.
 *
 * @param path a file, or a folder of NumPy's, of any program
 * @returns what was taken and what was not, a sentence each
 * @throws CheckpointError if the weights are of another network; nothing is changed then
 */
export async function startFrom(path: string, network: SqueezeNet): Promise<string[]> {
  const shown = printablePath(path);
  const checkpoint = await openWeights(path);
  const { network: learned, preprocessing, options, title } = learnedFrom(checkpoint);
  const theirs: Record<string, Tensor> = { ...learned.stateDict() };
  const own = network.stateDict();
  const found = Object.keys(own).filter((name) => Object.hasOwn(theirs, name));
  const fitting = found.filter((name) => sameShape(own[name].shape, theirs[name].shape));
  const misfit = found.find((name) => !fitting.includes(name) && !name.startsWith(HEAD));
  if (misfit !== undefined || !fitting.includes(`${STEM}.weight`)) {
    throw new CheckpointError(
      `--pretrained ${shown}: is of ${title}, ${differenceAt(misfit, theirs, own)}; set --version, ` +
        '--stem, --bypass and --batch-norm as that network has them, or pass other weights',
    );
  }
  if (preprocessing !== null) {
    const { weight, bias } = forOurPictures(
      theirs[`${STEM}.weight`],
      theirs[`${STEM}.bias`],
      preprocessing,
    );
    theirs[`${STEM}.weight`] = weight;
    theirs[`${STEM}.bias`] = bias;
  }
  const taken = Object.fromEntries(fitting.map((name) => [name, theirs[name]]));
  loadParamIntoNet(network, taken, { strict: false });
  const fresh = Object.keys(own).filter((name) => !fitting.includes(name));
  return [
    `${title}: took ${fitting.length} of ${Object.keys(own).length} tensors from ${shown}`,
    ...(fresh.length === 0 ? [] : [`new: ${quoteSome(fresh)}`]),
    ...Object.entries(options)
      .filter(([option, value]) => Reflect.get(network, option) !== value)
      .map(([option, value]) => `it was trained with --${option} ${value}, which this run is not`),
  ];
}

function learnedFrom(checkpoint: Checkpoint): Learned {
  if (checkpoint.metadata.config !== undefined) {
    const { network } = networkOfRun(checkpoint);
    return { network, preprocessing: null, options: {}, title: 'SqueezeNet of a run' };
  }
  const found = identifyNetwork(checkpoint);
  if (found === null) {
    throw new CheckpointError(
      `--pretrained ${printablePath(checkpoint.file)}: has the names of no network that is known here; ` +
        'pass weights of SqueezeNet',
    );
  }
  const network = found.create();
  loadInto(network, checkpoint);
  const { preprocessing, name, options } = found.origin;
  return { network, preprocessing, options, title: `${found.label} of ${name}` };
}

function differenceAt(misfit: string | undefined, theirs: StateDict, own: StateDict): string {
  if (misfit === undefined) return `without this network's ${STEM}`;
  const [there, here] = [theirs[misfit], own[misfit]].map(({ shape }) => formatShape(shape));
  return `where ${misfit} is ${there}, and ${here} in this one`;
}

/**
 * A first convolution that gives the same for our pictures as the one given does for those that it
 * knows, but at the edges, where zeros are around both. Theirs are u_k = (byte · scale − mean_k) / std_k,
 * ours x_c = (byte / 255 − m_c) / s_c, so that u_k = a_k · x_c + b_k; then w'_c = a_k · w_k and
 * bias' = bias + Σ b_k · w_k.
 */
function forOurPictures(
  weight: Tensor,
  bias: Tensor,
  { channelOrder, scale, mean, std }: Preprocessing,
): { weight: Tensor; bias: Tensor } {
  const [filters, channels, height, width] = weight.shape;
  const area = height * width;
  const turned = new Float32Array(weight.size);
  const shifts = new Float32Array(filters);
  for (let filter = 0; filter < filters; filter++) {
    for (let theirs = 0; theirs < channels; theirs++) {
      const ours = channelOrder === 'BGR' ? channels - 1 - theirs : theirs;
      const factor = (255 * scale * CIFAR10_STD[ours]) / std[theirs];
      const shift = (255 * scale * CIFAR10_MEAN[ours] - mean[theirs]) / std[theirs];
      const from = (filter * channels + theirs) * area;
      const to = (filter * channels + ours) * area;
      for (let tap = 0; tap < area; tap++) {
        turned[to + tap] = factor * weight.data[from + tap];
        shifts[filter] += shift * weight.data[from + tap];
      }
    }
  }
  return {
    weight: tensor(turned, { shape: weight.shape }),
    bias: add(bias.detach(), tensor(shifts)),
  };
}
