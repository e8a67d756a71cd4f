// Package learn learns from what explored lists led to. One process at a time turns
// the log of events into rewards, and rewards into the posterior that policies choose
// by; every process reads its newest version. It also watches what exploration costs,
// and stops it where that is too much.
package learn
