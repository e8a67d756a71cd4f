package main

import "github.com/lectern-dev/lectern/retrieve"

// ageRatings lets a catalogue weigh ratings by age, where the store tells when they came.
func ageRatings(c *retrieve.Catalog, store relational) {
	if h, ok := store.(retrieve.Histories); ok {
		c.ReadHistories(h)
	}
}
