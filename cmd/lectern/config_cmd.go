package main

import (
	"fmt"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/structs"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/cobra"
)

func newConfigCommand() *cobra.Command {
	var defaults, secrets bool
	cmd := &cobra.Command{
		Use: "config", Args: noArgs,
		Short: "Print the configuration as it would be used, as a file",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := DefaultConfig()
			if !defaults {
				env, err := loadEnvironment(cmd)
				if err != nil {
					return err
				}
				c = env.config
			}
			if !secrets {
				c = c.withoutSecrets()
			}
			text, err := marshalConfig(c)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.Flags().BoolVar(&defaults, "default", false, "print the defaults instead")
	cmd.Flags().BoolVar(&secrets, "secrets", false, "print passwords and keys too, in place of "+hidden)
	cmd.AddCommand(newConfigRerankCommand(), newConfigExploreCommand())
	return withConfigFlags(cmd)
}

// marshalConfig writes a configuration as YAML that LoadConfig reads back.
func marshalConfig(c Config) (string, error) {
	k := koanf.New(".")
	if err := k.Load(structs.Provider(c, "koanf"), nil); err != nil {
		return "", fmt.Errorf("read the configuration: %w", err)
	}
	for _, key := range k.Keys() { // durations as people write them
		if d, ok := k.Get(key).(fmt.Stringer); ok {
			if err := k.Set(key, d.String()); err != nil {
				return "", err
			}
		}
	}
	text, err := k.Marshal(yaml.Parser())
	return string(text), err
}
