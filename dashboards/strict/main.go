// Reads dashboards as strictly as Grafana's own foundation SDK does, options of panels included, and validates them.
//
//	strict FILE…
//
// Exits with 1 and names each option that Grafana does not know by its path.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: strict FILE…")
		os.Exit(2)
	}
	plugins.RegisterDefaultPlugins()
	code := 0
	for _, path := range os.Args[1:] {
		if err := read(path); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", path, err)
			code = 1
		}
	}
	os.Exit(code)
}

func read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var strict dashboard.Dashboard
	if err := found(strict.UnmarshalJSONStrict(text)); err != nil {
		return err
	}
	// The strict reading leaves panels out of what it returns; so what is validated is read once more.
	var board dashboard.Dashboard
	if err := json.Unmarshal(text, &board); err != nil {
		return err
	}
	return found(board.Validate())
}

// The SDK returns a list of errors that is no nil error where it is empty.
func found(err error) error {
	var all cog.BuildErrors
	if errors.As(err, &all) && len(all) == 0 {
		return nil
	}
	return err
}
