package experiment

import (
	"encoding/json"
	"errors"

	"github.com/lectern-dev/lectern"
)

// patched applies a merge patch (RFC 7396) to a definition. Errors: CodeInvalid,
// CodeUnknownField.
func patched(d *Definition, patch []byte) (Definition, error) {
	var change map[string]any
	if err := json.Unmarshal(patch, &change); err != nil || change == nil {
		return Definition{}, lectern.Invalid("a patch is a JSON object with the fields to be changed")
	}
	was, err := json.Marshal(d)
	if err != nil {
		return Definition{}, err
	}
	var tree map[string]any
	if err := json.Unmarshal(was, &tree); err != nil {
		return Definition{}, err
	}
	out, err := json.Marshal(merged(tree, change))
	if err != nil {
		return Definition{}, err
	}
	var next Definition
	return next, decode(out, &next)
}

// merged is MergePatch of RFC 7396, section 2.
func merged(target, patch map[string]any) map[string]any {
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(target, k)
		case map[string]any:
			inner, ok := target[k].(map[string]any)
			if !ok {
				inner = map[string]any{}
			}
			target[k] = merged(inner, v)
		default:
			target[k] = v
		}
	}
	return target
}

func asError(err error) (*lectern.Error, bool) { return errors.AsType[*lectern.Error](err) }
