"""Fine-tuning by a recipe, on a CPU, in checkpoints.

Two things differ from the usual way. Batch normalisation keeps its stored statistics (the day
network's starting weights were folded into identity layers, and statistics taken anew would wipe
them out). And what a picture has no labels for is not called absent: there the starting weights teach,
so that boats, vehicles and animals are carried over while people are learnt.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from models import sources
from models.recipe import Recipe
from models.scenes import Labelled

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a run left behind."""

    weights: Path
    batches: int
    seconds: float


class _MaskedBce:
    """Class loss that only asks about labelled classes; the mask is set for each batch."""

    def __init__(self) -> None:
        self.mask = torch.ones(1, 1, 1)

    def __call__(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        loss = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        return loss * self.mask


def train(recipe: Recipe, *, data: Path, out: Path, report: Report) -> Trained:
    """Run a recipe, or go on with it where a cut run stopped.

    Args:
        recipe: What to do.
        data: Folder that the recipe's files are relative to.
        out: Folder for checkpoints and the result, ``<name>.pt``.
        report: Gets one line per 20 batches and per epoch.

    Raises:
        ModelError: A file of the recipe is missing or differs.
    """
    torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    out.mkdir(parents=True, exist_ok=True)
    start = sources.check(data / recipe.start.file, recipe.start.sha256)
    teacher = _network(start).eval()
    student = _network(start)
    pictures = sources.build(recipe, data, _labeller(teacher))
    average = copy.deepcopy(student).eval()
    criterion, masked = _criterion(student, recipe)
    parameters = _unfreeze(student, recipe.freeze_layers)
    optimizer = torch.optim.AdamW(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)
    checkpoint = out / f"{recipe.name}.checkpoint"
    first = 0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        student.load_state_dict(kept["student"])
        average.load_state_dict(kept["average"])
        optimizer.load_state_dict(kept["optimizer"])
        first = int(kept["epoch"])
        report(f"going on after epoch {first}")
    total = recipe.epochs * recipe.batches_per_epoch
    began = time.monotonic()
    for epoch in range(first, recipe.stop_after_epochs or recipe.epochs):
        sums = np.zeros(4)
        for step in range(recipe.batches_per_epoch):
            number = epoch * recipe.batches_per_epoch + step
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, number, total)
            images, batch, mask = _batch(pictures, recipe, number)
            masked.mask = mask
            _train_mode(student)
            predictions = student(images)
            with torch.no_grad():
                taught = _scores(teacher(images))
            loss, _ = criterion(predictions, batch)
            detection = loss.sum() / recipe.batch
            staying = _teaching_loss(predictions["scores"], taught, mask)
            optimizer.zero_grad(set_to_none=True)
            (detection + recipe.teacher_gain * staying).backward()
            torch.nn.utils.clip_grad_norm_(parameters, recipe.gradient_norm_max)
            optimizer.step()
            _follow(average, student, min(recipe.ema_decay, (1 + number) / (10 + number)))
            parts = (loss.detach() / recipe.batch).tolist()
            sums += [*parts, float(staying.detach())]
            if step % 20 == 19:
                box, cls, dfl, stay = sums / (step + 1)
                report(
                    f"epoch {epoch + 1}/{recipe.epochs} batch {step + 1}/{recipe.batches_per_epoch} "
                    f"box {box:.3f} class {cls:.3f} dfl {dfl:.3f} staying {stay:.4f} "
                    f"({time.monotonic() - began:.0f} s)"
                )
        torch.save(
            {
                "student": student.state_dict(),
                "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
                "epoch": epoch + 1,
            },
            checkpoint,
        )
        _save(average, start, recipe.start_share, out / f"{recipe.name}.pt")
        report(f"epoch {epoch + 1} kept")
    return Trained(
        weights=out / f"{recipe.name}.pt",
        batches=(recipe.stop_after_epochs or recipe.epochs) * recipe.batches_per_epoch,
        seconds=time.monotonic() - began,
    )


def learning_rate(recipe: Recipe, number: int, total: int) -> float:
    """Linear warm-up, then a cosine from `lr` to `lr_final`."""
    if number < recipe.warmup_batches:
        return recipe.lr * (number + 1) / recipe.warmup_batches
    done = (number - recipe.warmup_batches) / max(1, total - recipe.warmup_batches)
    return recipe.lr_final + (recipe.lr - recipe.lr_final) * 0.5 * (1 + math.cos(math.pi * done))


def _network(weights: Path) -> Any:
    from ultralytics import YOLO

    return YOLO(str(weights)).model.float()


def _save(network: Any, start: Path, start_share: float, path: Path) -> None:
    """Write weights that ultralytics opens, by putting them into the starting checkpoint.

    The result lies between the starting weights and the trained ones: on the straight way between
    the two, what was known is forgotten later than what is new is learnt.

    Source: Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022.
    """
    from ultralytics import YOLO

    shell = YOLO(str(start))
    before = shell.model.float().state_dict()
    mixed = {
        key: torch.lerp(new, before[key], start_share) if new.dtype.is_floating_point else new
        for key, new in network.state_dict().items()
    }
    shell.model.load_state_dict(mixed)
    shell.save(str(path))


def _criterion(student: Any, recipe: Recipe) -> tuple[Any, _MaskedBce]:
    from ultralytics.utils.loss import v8DetectionLoss

    student.args = SimpleNamespace(
        box=recipe.box_gain, cls=recipe.class_gain, dfl=recipe.dfl_gain, epochs=recipe.epochs
    )
    criterion = v8DetectionLoss(student)
    criterion.bce = _MaskedBce()
    return criterion, criterion.bce


def _unfreeze(student: Any, freeze_layers: int) -> list[torch.nn.Parameter]:
    learning = []
    for index, layer in enumerate(student.model):
        for name, parameter in layer.named_parameters():
            parameter.requires_grad = index >= freeze_layers and "dfl" not in name
            if parameter.requires_grad:
                learning.append(parameter)
    return learning


def _train_mode(student: Any) -> None:
    student.train()
    for module in student.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()


def _scores(output: Any) -> torch.Tensor:
    """Class logits (batch, classes, n) of a network in evaluation mode."""
    logits: torch.Tensor = output[1]["scores"]
    return logits


def _teaching_loss(logits: torch.Tensor, taught: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """How far the student's classes have moved from the teacher's, where nothing else asks.

    Args:
        logits: (batch, classes, n) of the student.
        taught: (batch, classes, n) of the teacher.
        mask: (batch, 1, classes); 1 where labels ask, 0 where the teacher does.

    Returns:
        Sum of Kullback-Leibler divergences, per object that the teacher sees.
    """
    sure = taught.sigmoid()
    cross = functional.binary_cross_entropy_with_logits(logits, sure, reduction="none")
    own = functional.binary_cross_entropy_with_logits(taught, sure, reduction="none")
    asked = (1.0 - mask).permute(0, 2, 1)
    return ((cross - own) * asked).sum() / (sure * asked).sum().clamp(min=1.0)


def _follow(average: Any, student: Any, decay: float) -> None:
    with torch.no_grad():
        for kept, new in zip(
            average.state_dict().values(), student.state_dict().values(), strict=True
        ):
            if kept.dtype.is_floating_point:
                kept.mul_(decay).add_(new, alpha=1.0 - decay)


def _batch(
    pictures: tuple[sources.PictureSource, ...], recipe: Recipe, number: int
) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor]:
    images, boxes, classes, owners, masks = [], [], [], [], []
    width, height = recipe.size_px
    place = 0
    for source in pictures:
        for _ in range(source.per_batch):
            rng = np.random.default_rng([recipe.seed, number, place])
            labelled = source.picture(rng)
            images.append(_tensor(labelled))
            corners = torch.from_numpy(labelled.boxes_px)
            size = torch.tensor([width, height, width, height], dtype=torch.float32)
            corners = corners / size
            boxes.append(
                torch.cat(
                    [(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]], 1
                )
            )
            classes.append(torch.from_numpy(labelled.class_ids).float())
            owners.append(torch.full((len(corners),), float(place)))
            mask = torch.zeros(1, _CLASSES)
            mask[0, list(source.labelled_class_ids)] = 1.0
            masks.append(mask)
            place += 1
    batch = {
        "cls": torch.cat(classes).view(-1, 1),
        "bboxes": torch.cat(boxes),
        "batch_idx": torch.cat(owners),
    }
    return torch.stack(images), batch, torch.stack(masks)


_CLASSES = 80
"""Both networks keep COCO's head."""


def _tensor(labelled: Labelled) -> torch.Tensor:
    rgb = np.ascontiguousarray(labelled.bgr[:, :, ::-1].transpose(2, 0, 1))
    return torch.from_numpy(rgb).float() / 255.0


def _labeller(teacher: Any) -> sources.Labeller:
    """The starting network as a labeller of whole frames."""
    from ultralytics.utils.nms import non_max_suppression

    def label(bgr: Any, conf_threshold: float) -> tuple[Any, Any]:
        rows, columns = bgr.shape[:2]
        whole = Labelled(
            bgr=bgr, boxes_px=np.zeros((0, 4), np.float32), class_ids=np.zeros(0, np.int64)
        )
        pad_rows, pad_columns = -rows % 32, -columns % 32
        image = functional.pad(
            _tensor(whole), (0, pad_columns, 0, pad_rows), value=114 / 255.0
        ).unsqueeze(0)
        with torch.no_grad():
            found = non_max_suppression(teacher(image)[0], conf_threshold, 0.6)[0]
        boxes = found[:, :4].clamp(min=0).numpy().astype(np.float32)
        return boxes, found[:, 5].numpy().astype(np.int64)

    return label
