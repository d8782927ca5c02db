/** A published folder of one model of two layers with two heads, with every kind of table and numbers that can be worked by hand. */
import type { PublishedFolder } from '../folder.ts';

const csv = (...lines: string[]) => lines.map((line) => `${line}\r\n`).join('');
const head = (layer: number, of: number) => ({ layer, head: of });

export function smallFolder(): PublishedFolder {
  const manifest = (more: object) => JSON.stringify({ model_id: 'maker/tiny', corpus: 'safety_v3', n_pairs: 2, ...more });
  return {
    licence: 'MIT License\n\nCopyright (c) somebody\n',
    files: new Map([
      [
        'panel/tiny/headDLA/head_summary.csv',
        csv(
          'layer,n_pairs,mean_delta_mlp,mean_delta_attn_total,mean_delta_head_0,head_0_ci_low,head_0_ci_high,mean_delta_head_1,head_1_ci_low,head_1_ci_high',
          '0,2,3,-1,1,0.5,1.5,-2,-3,-1',
          '1,2,0,4,0,-1,1,4,3,5',
        ),
      ],
      ['panel/tiny/headDLA/run_manifest.json', manifest({ n_layers: 2, n_heads: 2, target: 'logit_diff' })],
      [
        'panel/tiny/headablate/head_ablate_summary.csv',
        csv('layer,head,n_pairs,mean_nll_reduction,mean_baseline_delta,mean_intervened_delta', '1,0,2,1,4,3'),
      ],
      ['panel/tiny/headablate/run_manifest.json', manifest({ candidate_heads: [head(1, 0)], alpha: 5 })],
      [
        'panel/tiny/interchange/head_interchange_summary.csv',
        csv('layer,head,n_pairs,mean_ctrl_to_ccp_reduction,mean_ccp_to_ctrl_increase,mean_baseline_delta', '0,1,2,1,2,4', '1,1,2,-0.5,0,4'),
      ],
      ['panel/tiny/interchange/run_manifest.json', manifest({ candidate_heads: [head(0, 1), head(1, 1)], alpha: null })],
      [
        'knockout/tiny/cascade_summary.csv',
        csv('layer,head,mean_normal_delta,mean_knockout_delta,change_pct,n_pairs', '1,1,0.5,0.25,-50,2'),
      ],
      [
        'knockout/tiny/run_manifest.json',
        JSON.stringify({ model: 'maker/tiny', corpus: 'v2', gate_head: head(0, 1), method: 'zero', dla_target: 'logit_diff' }),
      ],
      [
        'knockout/null/tiny/knockout_null_distribution.csv',
        csv('head,mean_abs_change_pct,role', 'GATE_L0.H1,8,gate', 'L0.H0,2,null', 'L1.H0,4,null'),
      ],
      [
        'knockout/null/tiny/knockout_null_summary.json',
        JSON.stringify({ model: 'maker/tiny', gate: 'L0.H1', gate_effect: 8, null_mean: 3, null_std: 1, limit_pairs: 2 }),
      ],
      [
        'cipher_contrast/tiny/cipher_diagnostic_all_heads.csv',
        csv(
          'layer,head,mean_plain_dla,mean_cipher_dla,mean_benign_dla,cipher_sensitivity,plain_minus_benign',
          '0,0,3,1,0,2,3',
          '0,1,1,0,1,1,0',
          '1,0,-1,0,0,1,-1',
          '1,1,0,0,0,0,0',
        ),
      ],
      [
        'cipher_contrast/tiny/cipher_diagnostic_summary.json',
        JSON.stringify({ model: 'maker/tiny', corpus: 'v2', n_pairs: 2, total_heads: 4, top_10: [{ head: 'L0.H0', sensitivity: 2 }] }),
      ],
      [
        'cipher_interchange/tiny/interchange_cipher_pairwise.csv',
        csv(
          'pair_idx,topic,condition,baseline_harm_dla,baseline_benign_dla,swapped_harm_dla,swapped_benign_dla,necessity,sufficiency',
          '0,s,plaintext,5,0,3,1,2,1',
          '1,s,plaintext,5,0,3,3,2,3',
          '0,s,cipher,1,0,0,0,1,0',
          '1,s,cipher,1,0,2,0,-1,0',
        ),
      ],
      ['dose_response/judgments_merged.csv', ''],
    ]),
  };
}
