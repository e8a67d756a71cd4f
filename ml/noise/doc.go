// Package noise says how far each of a learner's events is to be believed. Named
// rules, each of which can be read and switched, find what no interest stands
// behind: machines, bursts, repeats, creators on their own courses, clicks that
// were left at once. What learns from events multiplies their strength with the
// weight that Clean gives them.
package noise
