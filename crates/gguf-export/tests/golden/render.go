// Renders chat templates with Go's own engine, the one in Ollama: the golden file go_templates.json of this folder.
//
//	GOLDEN_TEMPLATES=cases.json cargo test -p gguf-export both_templates      # writes the templates
//	go run render.go < cases.json > go_templates.json
package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type conversation struct {
	Template string    `json:"template"`
	Messages []message `json:"messages"`
	Rendered string    `json:"rendered"`
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	var conversations []conversation
	must(json.NewDecoder(os.Stdin).Decode(&conversations))
	for i := range conversations {
		c := &conversations[i]
		var rendered strings.Builder
		t := template.Must(template.New("").Parse(c.Template))
		must(t.Execute(&rendered, map[string]any{"Messages": c.Messages}))
		c.Rendered = rendered.String()
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	must(out.Encode(conversations))
}
