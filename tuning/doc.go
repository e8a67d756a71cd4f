// Package tuning proposes weights of the reranker's terms from what learners chose in
// the lists they were shown: recorded lists hold the value of every term at every
// place, and events cite them. It fits weights to choices in the older lists, measures
// the gain on the newer ones, gives intervals for both, and refuses where the log says
// too little. It proposes; nothing that it does is in use before an administrator says
// so. docs/preview.md states the model.
package tuning
