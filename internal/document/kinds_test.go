package document_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/lectern-dev/lectern/internal/document"
)

func TestAllowed(t *testing.T) {
	type named string
	for want, list := range map[string][]any{
		"true or false":                {true, new(bool)},
		"a text":                       {"", named("")},
		"a number":                     {1.5, float32(1)},
		"a whole number":               {1, int64(1), new(int64), new(*int64)},
		"a whole number of at least 0": {uint(1), uint32(1)},
		"a list":                       {[]int{}, [2]int{}},
		"an object":                    {struct{}{}, &struct{}{}, map[string]int{}},
		"a time such as 2026-03-01T12:00:00Z (RFC 3339)": {time.Time{}, new(time.Time)},
	} {
		for _, v := range list {
			if got := document.Allowed(reflect.TypeOf(v)); got != want {
				t.Errorf("%T: %q, want %q", v, got, want)
			}
		}
	}
}
