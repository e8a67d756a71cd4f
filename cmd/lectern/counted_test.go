package main

import "testing"

func TestCounted(t *testing.T) {
	for want, got := range map[string]string{
		"0 lists": counted(0, "list"), "1 list": counted(1, "list"), "2 lists": counted(2, "list"), "1 person": persons(1), "3 people": persons(3),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
