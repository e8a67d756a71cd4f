// Package ope estimates what a draft of the rerank settings, a stored version of them or
// another exploration policy would have earned, from lists that were shown with known
// probabilities: inverse propensity scoring, its self-normalised form, the direct method,
// the doubly robust estimator (Dudík, Langford and Li 2011), and its switched (Wang,
// Agarwal and Dudík 2017) and shrunk (Su, Dimakopoulou, Krishnamurthy and Dudík 2020)
// forms, with intervals that allow for lists of one person being alike. It refuses, and
// says why, where what was shown says too little about what would be shown.
// docs/estimates.md states the model.
package ope
