"""D: layer skip and shared prefix, one cell at a time, as AutoCircuit does it: a cell begins at its layer from the clean residual, at its position, with
keys and values of earlier positions taken from the clean run. Before the divergence the prefix is one and the same, and nothing is run."""
import torch

from screens import Screen, outputs_of_heads


class Prefix(Screen):
    def begin(self, base, donor):
        x = self.model.embedded(self.tokens[base])
        clean = []
        for block, mask in zip(self.model.blocks, self.model.masks):
            q, k, v = block.project(block.ln1(x))
            z = block.attend(q, k, v, mask)
            clean.append((x, k, v, z))
            x = block.give(block.close(x, z))
        return clean, self.figure(x), outputs_of_heads(self.model, self.tokens[donor])

    def figure(self, x):
        return self.difference(self.model.unembed(self.model.ln_final(x[:, -1:])))

    def run(self, begun, base, cells):
        clean, unchanged, donor = begun
        blocks, masks = self.model.blocks, self.model.masks

        def figures(layer, head, position):
            if position < self.divergence:
                return unchanged
            x, _k, _v, z = clean[layer]
            z = z[:, :, position:].clone()
            z[:, head, 0] = donor[layer][:, head, position]
            x = blocks[layer].give(blocks[layer].close(x[:, position:], z, position), position)
            for block, mask, (_x, past_k, past_v, _z) in list(zip(blocks, masks, clean))[layer + 1 :]:
                q, k, v = block.project(block.ln1(x), position)
                k, v = torch.cat([past_k[:, :, :position], k], 2), torch.cat([past_v[:, :, :position], v], 2)
                z = block.attend(q, k, v, mask[..., position:, :])
                x = block.give(block.close(x, z, position), position)
            return self.figure(x)

        return torch.stack([figures(*self.cell(number)) for number in cells])
