"""Work that other machines do: cut into shards, each of which is one file in a folder that all of them share."""
