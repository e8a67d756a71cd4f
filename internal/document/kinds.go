package document

import (
	"reflect"
	"time"
)

// What values of JSON are called where one is of the wrong kind.
const (
	wantBool   = "true or false"
	wantNumber = "a number"
	wantWhole  = "a whole number"
	wantText   = "a text"
	wantList   = "a list"
	wantObject = "an object"
)

// AllowedTime is what a time looks like.
const AllowedTime = "a time such as 2026-03-01T12:00:00Z (RFC 3339)"

// Allowed says what JSON a value of a Go type is read from: "a text", "an object".
func Allowed(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return AllowedTime
	}
	switch t.Kind() {
	case reflect.Pointer:
		return Allowed(t.Elem())
	case reflect.Bool:
		return wantBool
	case reflect.String:
		return wantText
	case reflect.Slice, reflect.Array:
		return wantList
	case reflect.Struct, reflect.Map:
		return wantObject
	case reflect.Float32, reflect.Float64:
		return wantNumber
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return wantWhole + " of at least 0"
	}
	return wantWhole
}
