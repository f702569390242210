"""What the words of a check mean, in a sentence each."""

TERMS: dict[str, str] = {
    "Patient": (
        "The unit of all that is counted and divided: a patient's cases stand on one side of a "
        "fold, and intervals are by patient."
    ),
    "Case": "What gets one label and one answer; a patient may have several.",
    "Error": "What stops a run, or costs an image or a case of it.",
    "Warning": "What a run survives, and a reader of its result ought to know.",
    "Remark": "What is worth a look and may be as it should.",
    "Costs": "What a run goes without if nothing is mended: the image, the case, or the whole run.",
    "Fold": (
        "One round of the experiment: a part of the patients is set aside for judging, the others "
        "teach the model."
    ),
    "Side": (
        "Of a fold: train teaches, valid chooses when to stop and where to decide, test is judged "
        "once."
    ),
    "Spacing": (
        "The width of a pixel in micrometres. Slides are cut by it, so that a tile shows as much "
        "tissue whatever the scanner."
    ),
    "Magnification": "Of the objective: 10 times is about 1 µm per pixel, 40 times 0.25.",
    "Series": "The slices of one CT, in order.",
}
