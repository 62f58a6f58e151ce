/** Style sheets that esbuild puts into page.css. */
declare module '*.css';
