package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// maxHealthBody is more than a server says about its health.
const maxHealthBody = 64 << 10

func newHealthCommand() *cobra.Command {
	var ready bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use: "health", Args: noArgs,
		Short: "Ask the server at server.address whether it is alive, or ready",
		Long: "Ask the server at server.address whether it is alive, or ready.\n" +
			"The exit status is 0 when it is: a health check for containers without a shell.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := loadEnvironment(cmd)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			route := "/healthz"
			if ready {
				route = "/readyz"
			}
			said, err := askHealth(ctx, env.config.Server.Address, route)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), said)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether requests should be sent there, not only whether it is alive")
	cmd.Flags().DurationVar(&timeout, "timeout", 3*time.Second, "how long the answer may take")
	return withConfigFlags(cmd)
}

// askHealth returns what the server that listens on address says, an error
// unless it is well.
func askHealth(ctx context.Context, address, route string) (string, error) {
	url := "http://" + dialAddress(address) + route
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", url, err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy: the server is on this machine
	res, err := client.Do(req)
	if err != nil {
		return "", fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = res.Body.Close() }() // all that is wanted has been read
	body, err := io.ReadAll(io.LimitReader(res.Body, maxHealthBody))
	if err != nil {
		return "", fmt.Errorf("read the answer of %s: %w", url, err)
	}
	said := strings.TrimSpace(string(body))
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %d: %s", url, res.StatusCode, said)
	}
	if !json.Valid(body) {
		return "", fmt.Errorf("%s is not Lectern", url)
	}
	return said, nil
}

// dialAddress turns an address to listen on into one to connect to: a server on
// every interface is on the loopback too.
func dialAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address // Validate has refused it
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}
