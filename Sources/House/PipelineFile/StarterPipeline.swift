/// What `cogni init` writes: a small pipeline that works once a key is set, and what belongs beside it.
package enum StarterPipeline {
    /// Names relative to the folder, and their texts.
    package static let files: [(name: String, text: String)] = [
        ("pipeline.yaml", pipeline), ("env.example", environment), (".gitignore", ignored),
    ]

    private static let pipeline = """
        # A pipeline: where the data comes from, which streams are read, what is done to them, where they go.
        #
        #   set -a; . ./.env; set +a        the key, from a file that is not in version control
        #   cogni validate pipeline.yaml    finds every mistake in this file; needs no network
        #   cogni check pipeline.yaml       is everything in place?
        #   cogni run pipeline.yaml         fetches; run it again and only what may have changed is fetched
        #
        # The files are then in output/my-organization/current/.
        pipeline: my-organization

        source:
          connector: openai_admin
          # The name of the variable, never the key itself. A file works too: ${file:/run/secrets/openai_admin_key}
          credential: ${OPENAI_ADMIN_KEY}

        # Leave `streams:` out to read all that the connector has; `cogni discover openai_admin` lists them.
        streams:
          # Tokens by day. `lookback` is read again with every run: usage arrives late and is restated.
          usage_completions: { bucket_width: 1d, lookback: 3d, group_by: [project_id, model] }
          # Money by day, as the bill says it.
          costs: { lookback: 7d, group_by: [project_id, line_item] }
          projects: {}
          users: {}
          project_api_keys: {}

        transform:
          - dedupe: { keep: latest }
          - sanitize:
              secrets: mask
              # Personal text that nobody needs for usage and costs.
              fields: { email: mask, user_email: mask, owner_user_email: mask }

        load:
          directory: output
          format: ndjson
          compression: gzip
          keep_generations: 14

        """

    private static let environment = """
        # Copy to .env and fill in. An Admin API key comes from the organization's settings; it opens everything
        # in the organization, so keep the copy out of version control and readable only by you.
        OPENAI_ADMIN_KEY=

        # Only when fields are encrypted (`transform: encrypt`): `cogni keys create` writes this file.
        # COGNI_KEY_RING=keys.json

        """

    private static let ignored = """
        output/
        .env
        keys.json
        *.master

        """
}
