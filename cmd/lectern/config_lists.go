package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/v2"

	"github.com/lectern-dev/lectern"
	"github.com/lectern-dev/lectern/internal/nearest"
)

// writtenList reads a list of anything but texts that a variable or a flag holds: numbers
// with commas between them, or what the file would have, as YAML in one line or JSON.
func writtenList(from, to reflect.Type, value any) (any, error) {
	if from.Kind() != reflect.String || to.Kind() != reflect.Slice || to.Elem().Kind() == reflect.String || to.Elem().Kind() == reflect.Uint8 {
		return value, nil
	}
	text := strings.TrimSpace(reflect.ValueOf(value).String())
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	read, err := yaml.Parser().Unmarshal([]byte("list: " + text))
	if err != nil {
		return value, nil //nolint:nilerr // it is of the wrong type, which is said with its key
	}
	return read["list"], nil
}

// strayFields names every field of a list of things that the things do not have, which
// would else be passed over.
func strayFields(k *koanf.Koanf, hooks mapstructure.DecodeHookFunc) error {
	var bad []lectern.FieldError
	eachField(reflect.TypeFor[Config](), "", func(key string, typ reflect.Type) {
		if typ.Kind() != reflect.Slice || typ.Elem().Kind() != reflect.Struct {
			return
		}
		var list []map[string]any
		decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{WeaklyTypedInput: true, DecodeHook: hooks, Result: &list})
		if err != nil || decoder.Decode(k.Get(key)) != nil {
			return // of the wrong type
		}
		var known []string
		eachField(typ.Elem(), "", func(name string, _ reflect.Type) { known = append(known, name) })
		for i, fields := range list {
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				if !slices.Contains(known, name) {
					bad = append(bad, lectern.NewFieldError(fmt.Sprintf("%s[%d].%s", key, i, name), "", "is not a configuration key"+nearest.Hint(name, known), ""))
				}
			}
		}
	})
	if len(bad) == 0 {
		return nil
	}
	e := lectern.Invalid("the configuration has unknown keys", bad...)
	e.Code = lectern.CodeUnknownField
	return e
}
