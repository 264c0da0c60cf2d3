"""What won, in the forms that production loads; each comes with a script that proves the report's figures from it alone."""
