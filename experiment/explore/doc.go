// Package explore fills the places of lists that explore: within what administrators
// allow, and with a known probability for every course at every place.
package explore
