package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/v2"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/document"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// checkEnviron refuses variables that name no key, and says of each which one it
// may have been meant to be.
func checkEnviron(environ, known []string) error {
	variables := make([]string, len(known))
	for i, key := range known {
		variables[i] = variableOf(key)
	}
	var bad []lectern.FieldError
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		key, _ := envKey(name, "")
		if key == "" || isKey(key, known) {
			continue
		}
		bad = append(bad, lectern.NewFieldError(name, "", "is no variable of Lectern's"+variableHint(name, variables), ""))
	}
	if len(bad) > 0 {
		slices.SortFunc(bad, func(a, b lectern.FieldError) int { return strings.Compare(a.Field, b.Field) })
		e := lectern.Invalid("unknown environment variables (two underscores stand for the dot of a key)", bad...)
		e.Code = lectern.CodeUnknownField
		return e
	}
	return nil
}

// variableOf is the environment variable that sets a key.
func variableOf(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "__"))
}

// variableHint suggests a variable. The usual slip is one underscore in place of two.
func variableHint(name string, variables []string) string {
	plain := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "_", "")) }
	for _, v := range variables {
		if plain(v) == plain(name) {
			return `; did you mean "` + v + `"?`
		}
	}
	return nearest.Hint(name, variables)
}

// isKey reports whether a key is known, or below one that holds pairs.
func isKey(key string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool { return k == key || strings.HasPrefix(key, k+".") })
}

// wrongTypes names every key whose value cannot be read as what it must be.
func wrongTypes(k *koanf.Koanf, hooks mapstructure.DecodeHookFunc) error {
	var bad []lectern.FieldError
	eachField(reflect.TypeFor[Config](), "", func(key string, typ reflect.Type) {
		value := k.Get(key)
		if value == nil {
			return
		}
		into := reflect.New(typ)
		decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
			TagName: "koanf", WeaklyTypedInput: true, DecodeHook: hooks, Result: into.Interface(),
		})
		if err == nil && decoder.Decode(value) == nil {
			return
		}
		shown := fmt.Sprint(value)
		if typ.Kind() == reflect.Map || typ.Kind() == reflect.String {
			shown = "" // it may hold keys
		}
		bad = append(bad, lectern.NewFieldError(key, shown, "is of the wrong type", allowedFor(typ)))
	})
	if len(bad) == 0 {
		return nil
	}
	return lectern.Invalid("the configuration has values of the wrong type", bad...)
}

// eachField visits every key and the type of its value.
func eachField(typ reflect.Type, prefix string, visit func(key string, typ reflect.Type)) {
	for field := range typ.Fields() {
		name := field.Tag.Get("koanf")
		switch {
		case name == "" || name == "-":
		case field.Type.Kind() == reflect.Struct:
			eachField(field.Type, prefix+name+".", visit)
		default:
			visit(prefix+name, field.Type)
		}
	}
}

// allowedFor says what a value of a type looks like.
func allowedFor(typ reflect.Type) string {
	if typ == reflect.TypeFor[time.Duration]() {
		return "a duration such as 500ms, 30s or 1h30m"
	}
	switch typ.Kind() {
	case reflect.Bool:
		return "true, false"
	case reflect.Map:
		return "names with values"
	}
	return document.Allowed(typ)
}
