// The code of a worker thread. It stands above the whole package, since a recipe may ask for anything in it.
import * as offered from './index.ts';
import { serve } from './loader/serve.ts';

serve(offered);
